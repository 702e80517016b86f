"""When cron expressions fire in a year, by Python's zoneinfo and the plain words of cron(8): an independent reference.

Reads {"year", "zones", "expressions"} as JSON on standard input. Writes, for each zone and expression, how many ticks the
year (in UTC) has, and the SHA-256 of their times in seconds since the epoch, joined by commas.
"""
import calendar
import hashlib
import json
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo


def numbers(field, low, high):
    found = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, last = (low, high) if span == "*" else [int(n) for n in (span.split("-") * 2)[:2]]
        found.update(range(first, last + 1, int(step or 1)))
    return found


def is_day(day, dom, month, dow):
    if day.month not in numbers(month, 1, 12):
        return False
    last = calendar.monthrange(day.year, day.month)[1]
    in_month = day.day == last if dom == "L" else day.day in numbers(dom, 1, 31)
    if "#" in dow:
        weekday, nth = [int(n) for n in dow.split("#")]
        in_week = day.isoweekday() == weekday and (day.day - 1) // 7 + 1 == nth
    else:
        in_week = day.isoweekday() in {n or 7 for n in numbers(dow, 0, 7)}
    if dom == "*" or dow == "*":
        return in_month and in_week
    return in_month or in_week


def instants(local, zone, fixed):
    first, second = [local.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1)]
    if first.astimezone(zone).replace(tzinfo=None) != local:
        # In a gap: at its end, if the hour and the minute are fixed.
        if not fixed:
            return []
        while True:
            local += timedelta(minutes=1)
            there = local.replace(tzinfo=zone).astimezone(timezone.utc)
            if there.astimezone(zone).replace(tzinfo=None) == local:
                return [there]
    return [first] if fixed or first == second else [first, second]


def ticks(expression, zone, year):
    minute, hour, dom, month, dow = expression.split()
    fixed = "*" not in minute + hour
    found = set()
    day = date(year - 1, 12, 31)
    while day <= date(year + 1, 1, 1):
        if is_day(day, dom, month, dow):
            for h in numbers(hour, 0, 23):
                for m in numbers(minute, 0, 59):
                    found.update(instants(datetime(day.year, day.month, day.day, h, m), zone, fixed))
        day += timedelta(days=1)
    return sorted(int(t.timestamp()) for t in found if t.year == year)


given = json.load(sys.stdin)
answer = {}
for name in given["zones"]:
    answer[name] = {}
    for expression in given["expressions"]:
        times = ticks(expression, ZoneInfo(name), given["year"])
        digest = hashlib.sha256(",".join(map(str, times)).encode()).hexdigest()
        answer[name][expression] = [len(times), digest]
json.dump(answer, sys.stdout, indent=2)
