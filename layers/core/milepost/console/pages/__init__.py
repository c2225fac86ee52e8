"""One module for each subject of the console; docs/console.md says how one is added."""
