/** Lua, for a script that says how much it has changed: `changes()` is the server's own count by now (`rdb_changes_since_last_save`). */
export const CHANGES = `
local function changes()
  return tonumber(string.match(redis.call('INFO', 'persistence'), 'rdb_changes_since_last_save:(%d+)'))
end
`.trim();
