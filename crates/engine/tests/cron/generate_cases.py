#!/usr/bin/env python3
"""Writes cases.jsonl: what an independent implementation says comes next.

    pip install cronsim==2.8 tzdata==2025.2
    python generate_cases.py > cases.jsonl

Each line is {"e": expression, "z": zone, "a": after, "n": [the next four]}, with instants as seconds
since 1970. The seed is fixed and tzdata is the release that chrono-tz carries, so that the output is
the same on every machine. Two thirds of the starts lie within 30 hours of a change of the zone's offset.

Three things are put to cronsim in other words than ours, because it does not know them: `?`, nicknames,
and ranges that wrap. Six fields are used only for jobs with a star in a time field or in UTC: cronsim
applies no daylight saving rules to other jobs with seconds, we do. In the second pass of an overlap
cronsim can answer with an instant of the first; such answers, not after the start, are dropped.
"""

import json
import random
import zoneinfo
from datetime import datetime, timedelta, timezone

from cronsim import CronSim, CronSimError

SEED = 20260329
CASES = 3000
FIRST_YEAR, LAST_YEAR = 1995, 2027

zoneinfo.reset_tzpath([])  # the pinned tzdata package, not the machine's

ZONES = """
UTC Europe/Berlin Europe/London Europe/Dublin Europe/Lisbon Europe/Moscow Europe/Istanbul Europe/Athens
Africa/Cairo Africa/Casablanca Africa/Johannesburg Africa/Lagos America/New_York America/Chicago
America/Denver America/Phoenix America/Los_Angeles America/St_Johns America/Halifax America/Sao_Paulo
America/Santiago America/Havana America/Asuncion America/Caracas America/Mexico_City America/Nuuk
America/Scoresbysund Asia/Tokyo Asia/Kolkata Asia/Kathmandu Asia/Beirut Asia/Amman Asia/Gaza Asia/Tehran
Asia/Pyongyang Asia/Shanghai Australia/Sydney Australia/Adelaide Australia/Eucla Australia/Lord_Howe
Antarctica/Troll Antarctica/Casey Atlantic/Azores Pacific/Auckland Pacific/Chatham Pacific/Apia
Pacific/Kiritimati Pacific/Easter Pacific/Fiji Pacific/Norfolk
""".split()

MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
}

rng = random.Random(SEED)


def changes(zone):
    """The hours of all changes of the zone's offset."""
    tz = zoneinfo.ZoneInfo(zone)
    found = []
    instant = datetime(FIRST_YEAR, 1, 1, tzinfo=timezone.utc)
    before = instant.astimezone(tz).utcoffset()
    while instant.year < LAST_YEAR:
        later = instant + timedelta(hours=12)
        offset = later.astimezone(tz).utcoffset()
        if offset != before:
            found.append(int(later.timestamp()) - 6 * 3600)
        instant, before = later, offset
    return found


def chance(probability):
    return rng.random() < probability


def spell(value, names, least):
    if names and value - least < len(names) and chance(0.3):
        name = names[value - least]
        return rng.choice([name, name.lower(), name.capitalize()])
    return str(value)


def term(least, greatest, names):
    """One term, ours and cronsim's."""
    kind = rng.random()
    first = rng.randint(least, greatest)
    if kind < 0.45:
        both = spell(first, names, least)
    elif kind < 0.65:
        last = rng.randint(first, greatest)
        both = f"{spell(first, names, least)}-{spell(last, names, least)}"
        if "-" in both and names == DAYS and both.upper().endswith("-SUN") and first > 0:
            return both, f"{first}-7"
    elif kind < 0.75:
        last = rng.randint(first, greatest)
        both = f"{first}-{last}/{rng.randint(1, max(1, (greatest - least) // 2))}"
        if first == last:
            both = str(first)  # cronsim reads 5-5/2 as 5-59/2
    elif kind < 0.85:
        both = f"{first}/{rng.randint(1, greatest - least + 1)}"
    elif kind < 0.93 or first == least:
        both = f"*/{rng.randint(1, greatest - least + 3)}"
    else:
        last = rng.randint(least, first - 1)
        if names == DAYS and first == 7:
            return f"7-{last}", f"0-{last}"
        end = 6 if names == DAYS else greatest
        return (
            f"{spell(first, names, least)}-{spell(last, names, least)}",
            f"{first}-{end},{least}-{last}",
        )
    return both, both


def field(least, greatest, names=None, star=0.35):
    if chance(star):
        return "*", "*"
    terms = [term(least, greatest, names) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    return ",".join(ours for ours, _ in terms), ",".join(theirs for _, theirs in terms)


def day_field(least, greatest, names=None):
    ours, theirs = field(least, greatest, names, star=0.55)
    return ("?" if ours == "*" and chance(0.15) else ours), theirs


def realistic():
    minute, hour = rng.choice([0, 5, 15, 17, 30, 45, 59]), rng.choice([0, 0, 1, 1, 2, 2, 3, 6, 9, 23])
    return rng.choice(
        [
            f"{minute} {hour} * * *",
            f"{minute} {hour} * * *",
            f"0,30 {hour} * * *",
            f"{minute} 0-3 * * *",
            f"{minute} 9-17 * * 1-5",
            f"{minute} {hour} * * {rng.choice(['1-5', 'sun', 'SAT,SUN', '7', '0', 'mon'])}",
            f"{minute} {hour} {rng.randint(1, 31)} * *",
            f"{minute} {hour} 1,15 * FRI",
            f"{minute} {hour} 13 * 5",
            f"{minute} {hour} L * *",
            f"{minute} {hour} 29 2 *",
            f"{minute} {hour} 1 {rng.choice(['JAN', '1,4,7,10', '*/3', 'mar-may'])} *",
            f"*/{rng.choice([1, 5, 10, 15, 20, 30, 45])} * * * *",
            f"*/{rng.choice([5, 15, 30])} {hour} * * *",
            f"{minute} */{rng.choice([1, 2, 3, 4, 6, 12])} * * *",
            f"{minute} * * * *",
            f"* {hour} * * *",
            f"*/{rng.choice([10, 30])} 0-4 * * {rng.choice(['*', 'sun', '1-5'])}",
            f"{minute} {hour} */{rng.choice([2, 3, 5])} * {rng.choice(['*', 'mon', '1-5', '*/2'])}",
        ]
    )


def expression(zone):
    """An expression in our words and in cronsim's."""
    if chance(0.03):
        return rng.choice(list(NICKNAMES.items()))
    if chance(0.45):
        both = realistic()
        return both, both
    minute, hour, month = field(0, 59), field(0, 23), field(1, 12, MONTHS, star=0.7)
    fields = [minute, hour, day_field(1, 31), month, day_field(0, 7, DAYS)]
    has_star = minute[1].startswith("*") or hour[1].startswith("*")
    if chance(0.25) and (has_star or zone == "UTC"):
        fields.insert(0, field(0, 59, star=0.2))
    return " ".join(ours for ours, _ in fields), " ".join(theirs for _, theirs in fields)


def following(theirs, zone, after):
    start = datetime.fromtimestamp(after, zoneinfo.ZoneInfo(zone))
    found = []
    for occurrence in CronSim(theirs, start):
        instant = int(occurrence.timestamp())
        if instant > (found[-1] if found else after):
            found.append(instant)
        if len(found) == 4:
            break
    return found


def main():
    changes_of = {zone: changes(zone) for zone in ZONES}
    count = 0
    while count < CASES:
        zone = rng.choice(ZONES)
        if changes_of[zone] and chance(0.67):
            after = rng.choice(changes_of[zone]) + rng.randint(-30 * 3600, 30 * 3600)
        else:
            first, last = (datetime(year, 1, 1, tzinfo=timezone.utc).timestamp() for year in (FIRST_YEAR, LAST_YEAR))
            after = rng.randint(int(first), int(last))
        if chance(0.5):
            after -= after % 900  # often exactly at an occurrence
        ours, theirs = expression(zone)
        try:
            following_runs = following(theirs, zone, after)
        except CronSimError:  # a day that never comes; the parser's own tests have those
            continue
        print(json.dumps({"e": ours, "z": zone, "a": after, "n": following_runs}, separators=(",", ":")))
        count += 1


if __name__ == "__main__":
    main()
