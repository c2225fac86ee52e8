"""Pages of the console: one module for each subject; docs/console.md explains how to add one."""
