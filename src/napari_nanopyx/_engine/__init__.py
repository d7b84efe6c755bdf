"""The Liquid Engine: chooses, runs and times the implementations of a task."""
