"""The audit: what is wrong with a data set, told before it costs a week."""

from .auditing import audit
from .record import CHECKS, SEVERITIES, Audit, Balance, Finding, Limits

__all__ = ["CHECKS", "SEVERITIES", "Audit", "Balance", "Finding", "Limits", "audit"]
