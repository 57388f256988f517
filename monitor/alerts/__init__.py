"""Changes on their way to people: which channel, when, and in what words. Sends nothing (that is `monitor.notify`)."""

from monitor.alerts.outbox import (
    OutboxSettings,
    Plan,
    at_work,
    delivery_key,
    due,
    due_again,
    failed,
    plan,
    refused,
    retry,
    sending,
    sent,
)
from monitor.alerts.render import FORMS, Form, Layouts, Section, form_of, render
from monitor.alerts.route import Labels, Verdict, explain, quiet, route, sample
from monitor.alerts.words import Card, card, label, names, since, status, subject, what

__all__ = [
    "FORMS",
    "Card",
    "Form",
    "Labels",
    "Layouts",
    "OutboxSettings",
    "Plan",
    "Section",
    "Verdict",
    "at_work",
    "card",
    "delivery_key",
    "due",
    "due_again",
    "explain",
    "failed",
    "form_of",
    "label",
    "names",
    "plan",
    "quiet",
    "refused",
    "render",
    "retry",
    "route",
    "sample",
    "sending",
    "sent",
    "since",
    "status",
    "subject",
    "what",
]
