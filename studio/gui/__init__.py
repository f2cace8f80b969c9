"""The window: Qt, pages and widgets. Never imports torch; talks to services and to child processes."""
