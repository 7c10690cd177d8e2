package postgres

// ReadToken is the statement that reads what stands for them.
const ReadToken = readToken

// ReadVersions is the statement that reads a customer's versions.
const ReadVersions = readVersions

// OfCustomer are the tables that the removal of a customer empties.
var OfCustomer = ofCustomer
