-- Lets no sync start while the storage is being maintained: Sundays from 01:00 to 05:00 UTC.
--
-- Runs that come due wait, and start at its end; those that are running go on.

local DAY, FROM, TO = 7, 1, 5 -- 1 is Monday

return {
  api = 1,

  pre_lock = function(ctx)
    local now = ctx.now
    if now.weekday == DAY and now.hour >= FROM and now.hour < TO then
      local left = (TO - now.hour) * 3600 - now.minute * 60 - now.second
      return { wait = ("the storage is being maintained until %02d:00 UTC"):format(TO), after = left }
    end
  end,
}
