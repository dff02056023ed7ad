// The words of the API that pages show as they are. The types see to it that none is forgotten when the API gets another.

import type {
  AlertSeverityName,
  AlertStateName,
  CauseView,
  EventView,
  MigrationView,
  RoleName,
  SlotStateName,
  UserRoleName,
} from '@codis/config/api';
import { msg, t } from './words.ts';

type ApiWord =
  | AlertSeverityName
  | AlertStateName
  | CauseView['severity']
  | EventView['result']
  | MigrationView['state']
  | RoleName
  | SlotStateName
  | UserRoleName;

const WORDS: Record<ApiWord, string> = {
  critical: msg('critical'),
  warning: msg('warning'),
  problem: msg('problem'),
  pending: msg('pending'),
  firing: msg('firing'),
  acknowledged: msg('acknowledged'),
  silenced: msg('silenced'),
  resolved: msg('resolved'),
  done: msg('done'),
  denied: msg('denied'),
  failed: msg('failed'),
  running: msg('running'),
  paused: msg('paused'),
  cancelled: msg('cancelled'),
  master: msg('master'),
  replica: msg('replica'),
  offline: msg('offline'),
  online: msg('online'),
  locked: msg('locked'),
  migrating: msg('migrating'),
  viewer: msg('viewer'),
  operator: msg('operator'),
  admin: msg('admin'),
};

export const apiWord = (value: ApiWord): string => t(WORDS[value]);
