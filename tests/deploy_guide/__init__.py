"""The guides' commands, run by the AWS CLI as a shell runs them."""
