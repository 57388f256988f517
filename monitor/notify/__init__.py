"""Messages handed to people's channels: one message, one channel, one answer. What to send says `monitor.alerts`."""

from monitor.notify.door import SendSettings, check, send

__all__ = ["SendSettings", "check", "send"]
