// What `GET /doctor` and `POST /groups/{group}/keys/mend` answer and take.

/** `error`: it does harm now. `warning`: it will, when the next thing goes wrong. */
export type SeverityName = 'error' | 'warning';

export interface FindingView {
  readonly severity: SeverityName;
  /** What sort of thing it is, for programs: `misplaced-keys`, `master-down`, … */
  readonly kind: string;
  /** What it is about: `group 2`, `proxy proxy_1`. */
  readonly object: string;
  /** What was found, in a sentence. */
  readonly what: string;
  /** What that means, and where it may come from. */
  readonly why: string;
  /** What mends it, best first: command lines as they can be typed, or a sentence where no command can. */
  readonly try: readonly string[];
}

/** `none`: no server was searched for misplaced keys. */
export type ScanName = 'full' | 'none';

/** `GET /doctor?scan=full|none`. */
export interface DoctorView {
  readonly product: string;
  /** Null when there is no topology, or none could be read. */
  readonly epoch: number | null;
  readonly scan: ScanName;
  readonly summary: string;
  /** Worst first. */
  readonly findings: readonly FindingView[];
  /** ISO 8601. */
  readonly readAt: string;
}

export type MendActionName = 'preview' | 'move' | 'delete';

/** `POST /groups/{group}/keys/mend`: what to do with keys in this group whose slot another one owns. `preview` changes nothing. */
export interface MendKeysRequest {
  readonly action: MendActionName;
  /** Only keys of these slots, both ends included. */
  readonly slots?: { readonly first: number; readonly last: number };
}

export interface MendSlotView {
  readonly slot: number;
  readonly owner: number;
  readonly keysCount: number;
  /** How many of them the owner has too. Null where it was not asked. */
  readonly atOwnerCount: number | null;
}

export interface MendView {
  readonly group: number;
  readonly action: MendActionName;
  readonly epoch: number;
  readonly slots: readonly MendSlotView[];
  /** False when there were so many keys that some may be counted twice. */
  readonly exact: boolean;
  readonly examples: readonly string[];
  /** Handed to their owner. */
  readonly movedCount: number;
  /** Deleted in this group: by `delete`, or by `move` because the owner has them too. */
  readonly deletedCount: number;
  readonly notes: readonly string[];
}
