// The console in Simplified Chinese. Left is the English text as it stands in the code, right what is shown; {names} are the same on both sides.
//
// One word for one thing, as people who run Codis say it:
//   slot 槽位            group 组               proxy 代理            server 服务器        master 主库        replica 从库
//   migration 迁移       plan 计划              promote 提升          drain a group 清空   drain a proxy 排空  rebalance 均衡
//   slot table 槽位表    epoch 拓扑版本         coordinator 协调器    controller 控制器    zone 可用区        session 会话
//   key 键               hot key 热键           big key 大键          request 请求         error 错误         slow log 慢日志
//   event 事件           alert 告警             silence 静默          acknowledge 确认     verdict 结论       token 令牌
// Names of commands, settings, files, codes and units stay as they are: READONLY, config.ini, maxmemory, MiB, p99.

import type { Catalogue } from '../lib/words.ts';
import { cluster } from './zh-CN/cluster.ts';
import { common } from './zh-CN/common.ts';
import { moving } from './zh-CN/moving.ts';
import { people } from './zh-CN/people.ts';

export { sentences } from './zh-CN/sentences.ts';

export const words: Catalogue = { ...common, ...cluster, ...moving, ...people };
