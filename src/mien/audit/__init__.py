"""The audit: what is wrong with a data set, found before anything is trained on it."""

from .auditing import audit
from .record import CHECKS, SEVERITIES, Audit, AuditLimits, Balance, Finding

__all__ = ["CHECKS", "SEVERITIES", "Audit", "AuditLimits", "Balance", "Finding", "audit"]
