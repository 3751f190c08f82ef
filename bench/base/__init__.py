"""The ground floor: errors, progress, files, locks, places. Imports no other room."""
