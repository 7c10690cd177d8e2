package postgres

// ReadVersions is the statement that reads a customer's versions.
const ReadVersions = readVersions
