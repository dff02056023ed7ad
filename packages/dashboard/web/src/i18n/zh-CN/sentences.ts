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
  '{addr} stopped answering: {why}': '{addr} 不再响应：{why}',
  '{addr} answered: {why}': '{addr} 回应：{why}',

  // Why a migration waits
  "keys of group {from} don't get to group {to}: {why}": '组 {from} 的键无法到达组 {to}：{why}',
  'group {id} is left to its clients for {n} s': '在 {n} 秒内把组 {id} 让给客户端',
  'migration {id} moves slots of group {group} first': '先由迁移 {id} 迁移组 {group} 的槽位',
  '{what}; the move goes on when that is done': '{what}；完成后迁移继续',
  'nothing is known to hold it up: is a dashboard elected, and alive?': '不知道是什么阻碍了它：是否有 Dashboard 当选并在运行？',

  'migration {id} {what}, outside its window {window}; it goes on at {time} ({zone}, the clock of the controller)':
    '迁移 {id} {what}，不在时段 {window} 内；将于 {time} 继续（{zone}，以控制器时钟为准）',
  '{what}, outside its window {window}; it goes on at {time} ({zone}, the clock of the controller)':
    '{what}，不在时段 {window} 内；将于 {time} 继续（{zone}，以控制器时钟为准）',
  'migration {id} {what}, outside its window {window}': '迁移 {id} {what}，不在时段 {window} 内',
  'stands still with {n} slots between two groups, about {keys} keys are left': '停住，{n} 个槽位在两组之间，约剩 {keys} 个键',
  'stands still with {n} slots between two groups': '停住，{n} 个槽位在两组之间',
  'stands still, about {keys} keys are left': '停住，约剩 {keys} 个键',
  'stands still': '停住',
  'paused with {n} slots between two groups, about {keys} keys are left': '已暂停，{n} 个槽位在两组之间，约剩 {keys} 个键',
  'paused with {n} slots between two groups': '已暂停，{n} 个槽位在两组之间',
  'paused, about {keys} keys are left': '已暂停，约剩 {keys} 个键',
  paused: '已暂停',

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
  'Look at the log of {id}, and at what each of its workers has to do': '查看 {id} 的日志，以及各工作进程要做的事',
  'Start another proxy, or give {id} more workers if its machine has cores to spare':
    '再启动一个代理；若机器有空闲的核，也可给 {id} 增加工作进程',
  'See which clients ask the most of {id}': '查看哪些客户端对 {id} 的请求最多',
  'Look at each worker of {id}': '查看 {id} 的各工作进程',
  'See what else runs on the machine of {id}, whether it swaps, and whether its host has CPU for it':
    '查看 {id} 所在机器上还运行着什么、是否在用交换区、宿主机是否有 CPU 给它',
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

  // Why? What was checked
  'slot {slot} belongs to a group': '槽位 {slot} 属于某个组',
  'slot {slot} is not being moved': '槽位 {slot} 不在迁移中',
  'slot {slot} is not locked': '槽位 {slot} 未被锁定',
  'its migration {id} gets on': '它的迁移 {id} 在进展',
  'group {id} has a master': '组 {id} 有主库',
  'its master {addr} answers': '其主库 {addr} 有响应',
  '{addr} is a master by its own word': '{addr} 自认是主库',
  'group {id} has a replica': '组 {id} 有从库',
  '{addr} follows its master': '{addr} 在复制其主库',
  '{addr} has room': '{addr} 有剩余内存',
  'group {id} has slots': '组 {id} 有槽位',
  'group {id} can be reached': '可以访问组 {id}',
  'a proxy is online': '有代理在线',
  '{id} has a session with the coordinator': '{id} 与协调器有会话',
  '{id} is wanted online': '{id} 应当在线',
  '{id} routes by the current slot table': '{id} 按最新的槽位表路由',
  '{id} answers at its admin address': '{id} 的管理地址有响应',
  '{id} takes clients': '{id} 接受客户端',
  '{id} answers without errors': '{id} 的响应没有错误',
  'the workers of {id} live': '{id} 的工作进程存活',
  'the workers of {id} have CPU to spare': '{id} 的工作进程有 CPU 余量',
  'the event loops of {id} keep up': '{id} 的事件循环跟得上',
  'no slot is left between two groups': '没有槽位停留在两组之间',
  'the source, group {id}, has a master that works': '来源组 {id} 有可用的主库',
  'the target, group {id}, has a master that works': '目标组 {id} 有可用的主库',
  'migration {id}, which it takes back, has ended': '它要撤回的迁移 {id} 已结束',
  'a dashboard is elected controller': '有 Dashboard 当选控制器',
  'proxy {id} acknowledges': '代理 {id} 作出确认',
  'migration {id} is running': '迁移 {id} 在进行',
  'migration {id} gets on': '迁移 {id} 有进展',
  'its limits leave it room': '它的限制留有余地',

  // Why? What was found to be well
  'slot {slot} is served by {addr} of group {id}': '槽位 {slot} 由组 {id} 的 {addr} 提供服务',
  'group {id} serves {n} slots with its master {addr}': '组 {id} 由主库 {addr} 提供 {n} 个槽位的服务',
  'proxy {id} serves clients at {addr}, with the slot table of epoch {epoch}':
    '代理 {id} 在 {addr} 服务客户端，使用拓扑版本 {epoch} 的槽位表',
  'migration {id} gets on: {done} of {total} slots are done': '迁移 {id} 有进展：{total} 个槽位中已完成 {done} 个',
  'migration {id} is done: {done} of {total} slots are done': '迁移 {id} 已完成：{total} 个槽位中已完成 {done} 个',
  'migration {id} is cancelled: {done} of {total} slots are done': '迁移 {id} 已取消：{total} 个槽位中已完成 {done} 个',
  'moving from group {id} to group {group}': '正从组 {id} 迁移到组 {group}',
  'group {id}': '组 {id}',
  'online at epoch {epoch}': '在线，拓扑版本 {epoch}',
  'epoch {n}': '拓扑版本 {n}',
  'Redis {other}': 'Redis {other}',
  'Redis {other}, {n} requests a second': 'Redis {other}，每秒 {n} 个请求',
  'role: master': '角色：主库',
  '{n} bytes behind': '落后 {n} 字节',
  'it has no limit (maxmemory {n})': '没有上限（maxmemory {n}）',
  'registered for {addr}': '以 {addr} 注册',
  'wanted online': '应当在线',
  'version {other}, {n} clients': '版本 {other}，{n} 个客户端',
  serving: '服务中',
  'none died': '没有退出过',
  'the busiest uses {n} % of a core': '最忙的占用一个核的 {n} %',
  'at most {time} late (p99)': '最多延迟 {time}（p99）',
  'nothing was measured yet': '尚未测量',
  'running, {done} of {total} slots done': '进行中，已完成 {done} / {total} 个槽位',
  '{done} of {total} slots done': '已完成 {done} / {total} 个槽位',
  '{done} of {total} slots were moved; each source was looked through and found empty of them':
    '已迁移 {done} / {total} 个槽位；每个来源都已扫描过，确认不再有这些槽位的键',
  'it has': '已结束',
  'one is': '有',
  'nothing holds it up': '没有什么阻碍它',
  'none of its limits is low': '各项限制都不低',

  // Why? What was found to be wrong
  'slot {slot} belongs to no group': '槽位 {slot} 不属于任何组',
  'slot {slot} is in a move by migration {id}, which has no record, so nobody goes on with it':
    '槽位 {slot} 在迁移 {id} 之中，但该迁移没有记录，因此无人继续执行',
  'migration {id} does not get on: {why}': '迁移 {id} 没有进展：{why}',
  'migration {id} is paused: slot {slot} stays between two groups, and keys are handed over on demand':
    '迁移 {id} 已暂停：槽位 {slot} 停留在两组之间，键在被访问时移交',
  'slot {slot} is locked at the beginning of its move: its requests wait until all proxies agree, or the lock is over; {proxies} has not acknowledged it':
    '槽位 {slot} 在迁移开始时被锁定：其请求会等到所有代理确认，或锁定结束；{proxies} 尚未确认',
  'slot {slot} is locked at the beginning of its move: its requests wait until all proxies agree, or the lock is over':
    '槽位 {slot} 在迁移开始时被锁定：其请求会等到所有代理确认，或锁定结束',
  'the master of group {id}, {addr}, is down: {why}': '组 {id} 的主库 {addr} 宕机：{why}',
  'connection refused': '连接被拒绝',
  'Connection is closed.': '连接已关闭',
  'Command timed out': '命令超时',
  'connect ECONNREFUSED {addr}': '连接 {addr} 被拒绝',
  'read ECONNRESET': '连接被对方重置',
  'write ECONNRESET': '连接被对方重置',
  'write EPIPE': '连接已被对方关闭',
  'it does not answer': '它没有响应',
  '{addr} should be the master of group {id}, but says it is a replica of {other}': '{addr} 应为组 {id} 的主库，却自称是 {other} 的从库',
  'group {id} has no replica: when its master dies its slots are down': '组 {id} 没有从库：主库一旦宕机，其槽位不可用',
  'the replica {addr} of group {id} is down: {why}': '组 {id} 的从库 {addr} 宕机：{why}',
  '{addr} should be a replica in group {id}, but says it is a master': '{addr} 应为组 {id} 的从库，却自称是主库',
  'how far {addr} is behind is not known: its master does not answer': '{addr} 落后多少未知：其主库没有响应',
  '{addr} is {n} bytes behind its master: so much is lost if that dies now': '{addr} 落后主库 {n} 字节：主库现在宕机就会丢失这么多',
  '{addr} does not answer': '{addr} 没有响应',
  '{addr} uses {n} % of its maxmemory': '{addr} 已用 maxmemory 的 {n} %',
  'group {id} has no slots, so it holds no keys': '组 {id} 没有槽位，因此没有键',
  'no proxy is online, so no client can reach anything': '没有在线的代理，客户端无法访问任何数据',
  'proxy {id} has no session: it has died, hangs, or is cut off from the coordinator': '代理 {id} 没有会话：它已退出、挂起，或与协调器断开',
  'proxy {id} is draining: it takes no new clients': '代理 {id} 在排空：不接受新客户端',
  'proxy {id} was taken offline by an operator': '代理 {id} 已被操作员下线',
  'proxy {id} still routes by epoch {epoch}, {n} behind: it gave up a connection to {addr} with commands under way, and waits for {other} to confirm that they are gone':
    '代理 {id} 仍按拓扑版本 {epoch} 路由，落后 {n}：它放弃了到 {addr} 的一个连接，其上还有命令在执行，正等待 {other} 确认这些命令已结束',
  'proxy {id} still routes by epoch {epoch}, {n} behind: it waits for requests in flight, or is overloaded':
    '代理 {id} 仍按拓扑版本 {epoch} 路由，落后 {n}：它在等待未完成的请求，或已过载',
  '{addr} was not asked': '没有询问 {addr}',
  'what proxy {id} does is not known: {why}': '代理 {id} 的情况未知：{why}',
  'proxy {id} has a session but takes no clients yet: its workers have not all got the slot table':
    '代理 {id} 有会话，但还不接受客户端：它的工作进程尚未全部拿到槽位表',
  'there are no two readings yet': '还没有两次读数',
  'of proxy {id}, {errors} of {requests} requests a second get an error': '代理 {id} 每秒 {requests} 个请求中有 {errors} 个得到错误',
  '{errors} of {requests} requests a second get an error': '每秒 {requests} 个请求中有 {errors} 个得到错误',
  '{worker}, and no worker can use more than one; nor has any of its {n} workers anything left':
    '{worker}，而一个工作进程最多用一个核；它的 {n} 个工作进程都没有余量',
  '{worker}, and no worker can use more than one; its other workers have less to do, but a client stays with its worker':
    '{worker}，而一个工作进程最多用一个核；其他工作进程较空闲，但客户端不会更换工作进程',
  '{worker}, and no worker can use more than one': '{worker}，而一个工作进程最多用一个核',
  'worker {other} of proxy {id} uses {n} % of a core': '代理 {id} 的工作进程 {other} 占用一个核的 {n} %',
  'the event loop of worker {other} of proxy {id} is {time} late (p99), which its clients wait on top: it has more to do than one core can':
    '代理 {id} 的工作进程 {other} 的事件循环延迟 {time}（p99），它的客户端要多等这么久：要做的事超出一个核的能力',
  'the event loop of worker {other} of proxy {id} is {time} late (p99), which its clients wait on top, though it uses only {n} % of a core: its machine has no CPU for it, or stands still now and then':
    '代理 {id} 的工作进程 {other} 的事件循环延迟 {time}（p99），它的客户端要多等这么久，而它只占用一个核的 {n} %：机器没有 CPU 给它，或时而停顿',
  'the event loop of worker {other} of proxy {id} is {time} late (p99), which its clients wait on top':
    '代理 {id} 的工作进程 {other} 的事件循环延迟 {time}（p99），它的客户端要多等这么久',
  '{n} workers of proxy {id} died and were replaced, in {time}': '代理 {id} 的 {n} 个工作进程在 {time} 内退出并被替换',
  'the master of group {id} is down, so requests for its slots get errors from every proxy':
    '组 {id} 的主库宕机，对其槽位的请求在每个代理上都会得到错误',
  'the source, group {id}, has no master that works, so no key can move': '来源组 {id} 没有可用的主库，键无法迁移',
  'the target, group {id}, has no master that works, so no key can move': '目标组 {id} 没有可用的主库，键无法迁移',
  'the target {addr} of group {id} is full (maxmemory), so it takes no more keys': '组 {id} 的目标 {addr} 已满（maxmemory），不再接收键',
  'migration {id} is {state}, and its last slots have not got on since {time}: {why}':
    '迁移 {id}（{state}）的最后几个槽位自 {time} 起没有进展：{why}',
  'migration {id} is {state}, and slots {slot} and on still arrive: each ends whole on one side':
    '迁移 {id}（{state}）中从槽位 {slot} 起仍在到达：每个最终都完整地在某一边',
  done: '已完成',
  cancelled: '已取消',
  'migration {id} begins when migration {other} has finished what it has under way': '迁移 {id} 在迁移 {other} 完成进行中的部分之后开始',
  'no dashboard is elected controller, so nobody carries out migrations': '没有 Dashboard 当选控制器，因此无人执行迁移',
  'proxy {id} is lost: each lock waits for it once, until it is fenced off (proxy_lost_timeout)':
    '代理 {id} 失联：每次锁定会等它一次，直到它被隔离（proxy_lost_timeout）',
  'proxy {id} still routes by epoch {epoch}: locks wait until it has caught up': '代理 {id} 仍按拓扑版本 {epoch} 路由：锁定会等到它跟上',
  'migration {id} is paused at {done} of {total} slots: it takes no new slots and sweeps none until it is resumed':
    '迁移 {id} 暂停在 {done} / {total} 个槽位：继续之前不处理新槽位，也不扫描',
  'migration {id} has not got on since {time}: {why}': '迁移 {id} 自 {time} 起没有进展：{why}',
  'migration {id} waits: {why}': '迁移 {id} 在等待：{why}',
  'migration {id} is limited to {limits}': '迁移 {id} 限制为 {limits}',
  '{limits} and a pause of {n} ms after each batch': '{limits}，且每批之后间歇 {n} ms',
  '{n} keys a second': '每秒 {n} 个键',
  'a pause of {n} ms after each batch': '每批之后间歇 {n} ms',

  // Hot keys of a minute
  'no key stood out in that minute': '该分钟内没有突出的键',
  'no key of slot {slot} stood out in that minute': '该分钟内槽位 {slot} 没有突出的键',
  'that minute is not over, or only just: proxies are asked {n} s after it': '该分钟尚未结束，或刚刚结束：结束 {n} 秒后才询问代理',
  'that minute is older than what is kept, which is {n} hours': '该分钟早于所保存的范围：只保存 {n} 小时',
  'this dashboard did not run then: it began at {time}': '当时此 Dashboard 没有运行：它于 {time} 启动',
  'minutes are kept by a dashboard that runs, which this is not': '每分钟的热键由运行中的 Dashboard 保存，而这里没有',
  'no proxy has told of that minute': '没有代理给出该分钟的数据',
  'no proxy was registered': '当时没有注册的代理',
  'no proxy is registered': '没有注册的代理',
  'the proxies could not be asked: {why}': '无法询问代理：{why}',
  'proxy {id} could not be asked for hot keys: {why}': '无法向代理 {id} 询问热键：{why}',
  'proxy {id}: one of {n} requests was looked at, over {time} s; {keys} keys were met; names of more than {bytes} bytes are left out':
    '代理 {id}：在 {time} 秒内每 {n} 个请求抽查一个，遇到 {keys} 个键；超过 {bytes} 字节的键名不计入',
  'proxy {id}: one of {n} requests was looked at, over {time} s; {keys} keys were met; names of more than {bytes} bytes are left out; {workers} of its workers did not answer':
    '代理 {id}：在 {time} 秒内每 {n} 个请求抽查一个，遇到 {keys} 个键；超过 {bytes} 字节的键名不计入；它有 {workers} 个工作进程没有响应',
  'the {n} hottest keys of a minute are kept; {keys} more stood out in that one':
    '每分钟只保存最热的 {n} 个键；该分钟另有 {keys} 个突出的键',
  'none of its workers has counted to the end of a minute yet': '它的工作进程尚无一个计数到一分钟结束',
  'its last minute ended {time} s ago, {n} s before that of this dashboard': '它的上一分钟结束于 {time} 秒前，比此 Dashboard 的早 {n} 秒',
  'its last minute ended {time} s ago, {n} s after that of this dashboard': '它的上一分钟结束于 {time} 秒前，比此 Dashboard 的晚 {n} 秒',
  'what answers at {addr} does not tell of hot keys minute by minute': '在 {addr} 应答的程序不能按分钟给出热键',
  'what answers at {addr} does not tell of hot keys': '在 {addr} 应答的程序不能给出热键',
  'its admin address {addr} did not answer in {n} ms': '它的管理地址 {addr} 在 {n} ms 内没有响应',
  "its admin address {addr} can't be asked: {why}": '无法询问它的管理地址 {addr}：{why}',
};
