"""The offline world of the demo: a small web site over three mornings, served on loopback.

Knows the folder `seeds/world/` and how its articles look as feeds and pages; knows nothing of what the monitor makes of
them. `serve_world(folder)` is all that the demo needs:

    with serve_world(folder) as world:
        config = world.write_config(some_folder)   # monitor.toml, feeds.toml, watchlist.toml for this site
        for world.morning in (1, 2, 3):
            ...                                    # poll at world.now
        world.hits                                 # what was asked, and what was answered
"""

from monitor.world.script import Expected, FeedSpec, Outlet, Piece, Script, load_script, recent_mornings
from monitor.world.server import Hit, World, serve_world

__all__ = [
    "Expected",
    "FeedSpec",
    "Hit",
    "Outlet",
    "Piece",
    "Script",
    "World",
    "load_script",
    "recent_mornings",
    "serve_world",
]
