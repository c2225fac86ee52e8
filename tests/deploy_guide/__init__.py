"""The guides' commands, run with the AWS CLI in a shell."""
