"""Mails in AWS: the queue, SES, sent mails, suppressions, custom templates."""
