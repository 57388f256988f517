"""Messages handed to people's channels: one message, one channel, one answer. What to send says `monitor.alerts`."""

from monitor.notify.door import SendSettings, check_address, send

__all__ = ["SendSettings", "check_address", "send"]
