# SPDX-License-Identifier: Apache-2.0
"""What can be typed after `cockpitctl`.

Completion and man page are generated from here, so imports stay light.
"""

from __future__ import annotations

import argparse
import os

from smartcockpit import __version__

DESCRIPTION = "Look into a running SmartCockpit: daemons, signals, CAN, position, sound, power, updates."
EPILOG = (
    "Exit codes: 0 done, 1 bug, 2 wrong usage or unknown signal, 69 a daemon or the bus is missing, "
    "78 broken configuration. Tables are for people; --json prints stable keys for programs, new keys may "
    "be added. Colour appears on a terminal only and never when NO_COLOR is set."
)
SHOWS = {
    "list": "name, datatype, unit, kind and limits of each signal",
    "get": "value, quality and age of each signal, once",
    "watch": "each change as it comes; ends with Ctrl-C",
}

UPDATES = {
    "status": "how the update stands, and why it waits",
    "check": "ask the server now",
    "install": "install a bundle file, with the checks of any update",
    "consent": "agree to the update that is offered",
    "cancel": "end the update at hand",
    "history": "the updates of this unit, newest first",
}


def bus_address() -> str:
    """Return the bus to talk to unless --bus says otherwise: SMARTCOCKPIT_BUS, else the system bus."""
    return os.environ.get("SMARTCOCKPIT_BUS", "system")


def positive(text: str) -> float:
    """Parse seconds greater than zero for argparse."""
    value = float(text)
    if not 0.01 <= value <= 3600:
        raise ValueError(text)
    return value


positive.__name__ = "seconds from 0.01 to 3600"


def count(text: str) -> int:
    """Parse a whole number greater than zero for argparse."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


count.__name__ = "positive number"


def percent(text: str) -> int:
    """Parse 0 to 100 for argparse."""
    value = int(text)
    if not 0 <= value <= 100:
        raise ValueError(text)
    return value


percent.__name__ = "percentage from 0 to 100"


def build() -> argparse.ArgumentParser:
    """Return the complete parser; the chosen verb is in `verb`, for signals the second one in `what`."""
    parser = argparse.ArgumentParser("cockpitctl", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"cockpitctl {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON instead of a table")
    common.add_argument(
        "--bus", metavar="ADDRESS", default=None,
        help="system, session or a D-Bus address (default: $SMARTCOCKPIT_BUS, else system)",
    )  # fmt: skip
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common]
        )

    status = verb("status", "state of each daemon: unit, memory, name on the bus, version, boot slot")
    status.add_argument("daemon", nargs="*", help="only these, such as canbridge")
    _add_watch(status)
    signals = verbs.add_parser(
        "signals", help="vehicle signals by VSS name", description="Vehicle signals by VSS name."
    )
    _add_signals(signals, common)
    can = verb("can", "state, load and counters of each CAN bus")
    can.add_argument("buses", nargs="*", metavar="BUS", help="only these, such as can0")
    _add_watch(can)
    _add_audio(verb("audio", "what is heard and how loud; turn it, play, chime, speak"), common)
    gnss = verb("gnss", "the satellite receiver, its satellites and the position")
    gnss.add_argument("--satellites", action="store_true", help="list each satellite in view")
    _add_watch(gnss)
    power = verb("power", "whether the cockpit is on, why, for how long, and who holds a shutdown up")
    _add_watch(power)
    _add_ota(verbs.add_parser("ota", help="the update", description="The update of this unit."), common)
    config = verb("config", "each setting of a daemon, and the file that it comes from")
    config.add_argument("daemon", nargs="*", help="only these, such as canbridge")
    verb("health", "whether this boot has proved itself: verdict of the health gate, check by check")
    live = verb("live", "signals, daemons and buses as a stream of JSON lines, for a viewer elsewhere")
    live.add_argument(
        "--output", metavar="FILE", help="write to this file or port (default: standard output)"
    )
    live.add_argument(
        "--interval", type=positive, default=0.25, metavar="S", help="time between two samples, s"
    )
    return parser


def _add_audio(audio: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    _add_watch(audio)
    what = audio.add_subparsers(dest="what", metavar="WHAT")

    def add(name: str, text: str, *arguments: str) -> argparse.ArgumentParser:
        made = what.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common]
        )
        for argument in arguments:
            made.add_argument(argument)
        return made

    show = add("show", "roles, focus, devices and the player (the default)")
    _add_watch(show)
    volume = add("volume", "set the volume of a role, or of all of them (master)", "role")
    volume.add_argument("percent", type=percent)
    add("mute", "mute a role, or all of them (master)", "role")
    add("unmute", "take that back", "role")
    for name, ends in (("balance", "left, 1 right"), ("fade", "rear, 1 front")):
        add(name, f"from -1 {ends}").add_argument("value", type=float)
    chime = add("chime", "play a warning chime", "name")
    say = add("say", "speak a text")
    say.add_argument("text", nargs="+")
    prompt = add("prompt", "play a WAV file in a role", "file")
    for one in (chime, say, prompt):
        one.add_argument("--wait", action="store_true", help="end when it has been heard")
    for one in (say, prompt):
        one.add_argument("--role", default="navigation", help="in this role (default navigation)")
    play = add("play", "play music: files, folders, playlists, addresses; without any, go on")
    play.add_argument("location", nargs="*")
    add("pause", "pause the music")
    add("next", "go to the next track")
    add("previous", "go to the previous track")
    find = add("find", "search the music library")
    find.add_argument("words", nargs="*", help="beginnings of words of title, artist, album (default: all)")
    find.add_argument("--limit", type=count, default=50, metavar="N", help="at most this many (default 50)")


def _add_signals(signals: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    what = signals.add_subparsers(dest="what", metavar="WHAT", required=True)

    def add(name: str) -> argparse.ArgumentParser:
        text = SHOWS[name]
        return what.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common]
        )

    listing = add("list")
    listing.add_argument("prefix", nargs="*", help="VSS branches or signals (default: all)")
    listing.add_argument("--kind", choices=("sensor", "actuator", "attribute"), help="only this kind")
    get = add("get")
    get.add_argument("path", nargs="*", help="signals or branches (default: all)")
    get.add_argument(
        "--quality",
        choices=("valid", "stale", "invalid", "unavailable"),
        help="only readings of this quality",
    )
    watch = add("watch")
    watch.add_argument("prefix", nargs="*", help="VSS branches or signals (default: all)")
    watch.add_argument("--count", type=count, metavar="N", help="end after N lines")


def _add_ota(ota: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    what = ota.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, text in UPDATES.items():
        one = what.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common])
        if name == "history":
            one.add_argument(
                "--count", type=count, default=20, metavar="N", help="at most N updates (default 20)"
            )
            continue
        one.add_argument("-w", "--watch", action="store_true", help="a line for each change until Ctrl-C")
        if name == "install":
            one.add_argument("file", help="the bundle, such as /run/media/stick/update.raucb")
        if name == "consent":
            one.add_argument("id", nargs="?", default="", help="the update's id (default: the one at hand)")
            one.add_argument("--no", action="store_true", help="decline it")


def _add_watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-w", "--watch", action="store_true", help="show it again and again until Ctrl-C")
    parser.add_argument(
        "--interval", type=positive, default=1.0, metavar="S", help="with --watch: pause, s (default 1)"
    )
