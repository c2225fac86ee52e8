"""Mails in AWS: SES, sent mails, suppressions, custom templates."""
