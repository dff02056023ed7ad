export { Controller, type ControllerOptions, type ControllerStatus } from './controller.ts';
export type { ControllerRecord } from './election.ts';
export { type FenceRequest, type FenceResult, fence, readFence } from './fence.ts';
export { type KeysPage, scanSlots } from './scan.ts';
export { isServerTrouble, serverTrouble } from './server-trouble.ts';
export type { ControllerSettings } from './turn.ts';
