// What the dashboard says of the cluster, see told.ts: the verdict, what is wrong, why that matters and what mends it. What is not here is shown in English.

import type { Catalogue } from '../../lib/words.ts';

export const sentences: Catalogue = {
  // The verdict
  '{problem} (and {more}); {served} of {total} slots served, {backed} of {groups} with a working replica, {online} of {proxies} online':
    '{problem}（{more}）；{total} 个槽位中 {served} 个可用，{groups}中 {backed} 个有可用的从库，{proxies}中 {online} 个在线',
  '{problem}; {served} of {total} slots served, {backed} of {groups} with a working replica, {online} of {proxies} online':
    '{problem}；{total} 个槽位中 {served} 个可用，{groups}中 {backed} 个有可用的从库，{proxies}中 {online} 个在线',
  '{served} of {total} slots served, {backed} of {groups} with a working replica, {online} of {proxies} online':
    '{total} 个槽位中 {served} 个可用，{groups}中 {backed} 个有可用的从库，{proxies}中 {online} 个在线',
  'there is no slot table yet; make it with: {command}': '还没有槽位表；用以下命令建立：{command}',
  '{n} more problem': '另有 {n} 个故障',
  '{n} more problems': '另有 {n} 个故障',
  '{n} slot': '{n} 个槽位',
  '{n} slots': '{n} 个槽位',
  '{n} group': '{n} 个组',
  '{n} groups': '{n} 个组',
  '{n} proxy': '{n} 个代理',
  '{n} proxies': '{n} 个代理',
  'under {n} %': '不到 {n} %',
  master: '主库',
  replica: '从库',

  // What is wrong
  "{what}, so {slots} ({share}) can't be reached": '{what}，因此 {slots}（{share}）无法访问',
  '{slots} ({share}) belong to no group': '{slots}（{share}）不属于任何组',
  'group {id} has no master': '组 {id} 没有主库',
  'the master of group {id}, {addr}, is down': '组 {id} 的主库 {addr} 宕机',
  'group {id} has no replica': '组 {id} 没有从库',
  'the replica {addr} of group {id} is down': '组 {id} 的从库 {addr} 宕机',
  '{addr} should be a {role}, but is a {other}': '{addr} 应为{role}，实为{other}',
  '{addr} has no link to its master {master}': '{addr} 与其主库 {master} 没有连接',
  'no proxy is online': '没有在线的代理',
  'proxy {id} is lost: it should be online but has no session': '代理 {id} 失联：它应当在线，却没有会话',
  'proxy {id} still routes by epoch {epoch}': '代理 {id} 仍按拓扑版本 {epoch} 路由',
  "the cluster can't be read: {why}": '无法读取集群：{why}',
  'no dashboard is elected controller': '没有 Dashboard 当选控制器',
  'the replica {addr} of group {id} is {size} behind its master': '组 {id} 的从库 {addr} 落后主库 {size}',
  '{addr} of group {id} uses {share} of its memory ({used} of {max})': '组 {id} 的 {addr} 已用 {share} 的内存（{used} / {max}）',
  'Redis servers are of versions {servers}; proxies are of versions {proxies}': 'Redis 服务器版本不一：{servers}；代理版本不一：{proxies}',
  'Redis servers are of versions {versions}': 'Redis 服务器版本不一：{versions}',
  'proxies are of versions {versions}': '代理版本不一：{versions}',
  'the clock of {addr} is {time} ahead of that of this dashboard': '{addr} 的时钟比此 Dashboard 快 {time}',
  'the clock of {addr} is {time} behind that of this dashboard': '{addr} 的时钟比此 Dashboard 慢 {time}',
  '{errors} of {requests} requests a second are answered with an error': '每秒 {requests} 个请求中有 {errors} 个得到错误响应',
  'one request in a hundred takes longer than {time}': '每一百个请求中有一个耗时超过 {time}',
  'migration {id} does not get on, at {done} of {total} slots: {why}': '迁移 {id} 停在 {done} / {total} 个槽位，没有进展：{why}',

  'it has no session': '它没有会话',
  "{addr} can't be reached: {why}": '无法连接 {addr}：{why}',

  // Why a migration waits
  "keys of group {from} don't get to group {to}: {why}": '组 {from} 的键无法到达组 {to}：{why}',
  'group {id} is left to its clients for {n} s': '在 {n} 秒内把组 {id} 让给客户端',
  'migration {id} moves slots of group {group} first': '先由迁移 {id} 迁移组 {group} 的槽位',
  '{what}; the move goes on when that is done': '{what}；完成后迁移继续',
  'nothing is known to hold it up: is a dashboard elected, and alive?': '不知道是什么阻碍了它：是否有 Dashboard 当选并在运行？',

  // What a plan is for
  'move {moves} to group {id}': '迁移{moves}到组 {id}',
  'slot {slot}': '槽位 {slot}',
  'slots {slots}': '槽位 {slots}',
  'drain group {id} by keys': '按键数清空组 {id}',
  'drain group {id} by memory': '按内存清空组 {id}',
  'drain group {id}': '清空组 {id}',
  'rebalance by slots': '按槽位数均衡',
  'rebalance by keys': '按键数均衡',
  'rebalance by memory': '按内存均衡',

  // Why it matters
  'Requests for keys in these slots get an error, for no group is there to answer them.':
    '对这些槽位中键的请求会得到错误，因为没有组来响应。',
  'All requests for the keys of a group go to its master; until it has one that works they get an error.':
    '对一个组的键的请求都发往其主库；在有可用的主库之前，这些请求会得到错误。',
  'A replica that does not follow its master is of no use when that dies.': '不复制主库的从库，在主库宕机时没有用处。',
  'When its master dies there is nobody to take over: its slots are down until it is back, and what it had not saved is lost.':
    '主库一旦宕机，没有服务器可以接管：在它恢复之前槽位不可用，未保存的数据会丢失。',
  'Clients reach the cluster through proxies only.': '客户端只能通过代理访问集群。',
  'It has died, hangs, or is cut off from the coordinator. Its clients may get no answer, and each slot move waits for it once before it goes on without it.':
    '它已退出、挂起，或与协调器断开。它的客户端可能得不到响应；每次槽位迁移会等它一次，然后不再等它。',
  'A proxy follows within a second; one that stays behind waits for a server that hangs, or is overloaded. Slot moves wait for it.':
    '代理会在一秒内跟上；一直落后的，是在等待挂起的服务器，或已过载。槽位迁移会等待它。',
  'Clients are served on by the last slot table, but nothing can change: no move, no promotion, no new proxy.':
    '客户端仍按最后的槽位表得到服务，但什么都不能更改：不能迁移、不能提升、不能加入新代理。',
  'Migrations do not go on until one is.': '在有 Dashboard 当选之前，迁移不会继续。',
  'If the master dies now, that much of what clients were told is written is lost.':
    '如果主库现在宕机，已告知客户端写入成功的数据会丢失这么多。',
  'At its limit a Redis refuses writes, or evicts keys, as its maxmemory-policy says.':
    '达到上限的 Redis 会按 maxmemory-policy 拒绝写入或淘汰键。',
  'A slot can’t move to a Redis that is older than where it comes from; and what one proxy knows another may not.':
    '槽位不能迁往比来源更旧的 Redis；一个代理懂的，另一个可能不懂。',
  'Keys expire by the clock of the server that holds them, so what moves there lives longer or shorter; and logs of different machines don’t fit together.':
    '键按所在服务器的时钟过期，迁过去的键会活得更长或更短；不同机器的日志也对不上。',
  'That may be the cluster (slots that can’t be reached, servers out of memory), or a client that does something wrong.':
    '可能是集群的问题（槽位无法访问、服务器内存不足），也可能是客户端用错了。',
  'A server or a proxy is overloaded, a command takes long, or a migration takes too much.':
    '服务器或代理过载、某个命令耗时长，或迁移占用过多。',
  'Nothing is lost: keys are handed over on demand. But the slots between two groups depend on both.':
    '不会丢失任何东西：键会在被访问时移交。但处于两组之间的槽位依赖这两个组。',

  // What to do
  'Give slots to group {id}': '把槽位分给组 {id}',
  'Give slot {slot} to a group': '把槽位 {slot} 分给一个组',
  'Add a group': '添加组',
  'Add a master': '添加主库',
  'Add a replica to group {id}': '给组 {id} 添加从库',
  'Start a proxy': '启动代理',
  'Start {addr} again': '重新启动 {addr}',
  'Promote {addr}': '提升 {addr}',
  'Have {addr} follow its master': '让 {addr} 复制其主库',
  'Look at INFO replication of {addr}': '查看 {addr} 的 INFO replication',
  'Look at the network and the load of {addr}': '查看 {addr} 的网络和负载',
  'Look at the log of the dashboards': '查看 Dashboard 的日志',
  'Look at the log and the load of {id}': '查看 {id} 的日志和负载',
  'Look at the log of {id}': '查看 {id} 的日志',
  'Look at the slow log': '查看慢日志',
  'Look at {addr}: does it hang?': '查看 {addr}：是否挂起？',
  'Check ZooKeeper, or the folder of the coordinator': '检查 ZooKeeper，或协调器的目录',
  'Check admin_addr of {id} and the firewall': '检查 {id} 的 admin_addr 和防火墙',
  'Set the clock of the machine of {addr}, by NTP for one': '校准 {addr} 所在机器的时钟，例如用 NTP',
  'Remove {id}': '移除 {id}',
  'Bring {id} online': '让 {id} 上线',
  'Ask the doctor': '运行 doctor 诊断',
  'See what is wrong with the cluster': '查看集群有什么问题',
  'Finish the upgrade': '完成升级',
  'Plan a rebalance by memory': '按内存制定均衡计划',
  'Plan a rebalance': '制定均衡计划',
  'Raise maxmemory of {addr}': '调大 {addr} 的 maxmemory',
  'Pause migration {id}': '暂停迁移 {id}',
  'Resume migration {id}': '继续迁移 {id}',
  'Cancel migration {id}': '取消迁移 {id}',
  'Roll back what migration {id} has under way': '撤回迁移 {id} 进行中的部分',
  'Let migration {id} run at any time': '让迁移 {id} 随时可运行',
  'Take the limits of migration {id} away': '去掉迁移 {id} 的限制',
  'Give migration {id} its record back': '恢复迁移 {id} 的记录',
  'Why?': '为什么？',
  'Why is group {id} down?': '组 {id} 为什么不可用？',
  'Why is {id} behind?': '{id} 为什么落后？',
  'Why is {id} lost?': '{id} 为什么失联？',
  'Why is {id} {state}?': '{id} 为什么是 {state}？',
  'Why does migration {id} not get on?': '迁移 {id} 为什么没有进展？',
  'Why has migration {id} not ended?': '迁移 {id} 为什么没有结束？',
};
