"""The steps of the plugin: each is one method with what its form needs besides."""
