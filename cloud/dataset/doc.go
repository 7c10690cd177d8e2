// Package dataset decides what the tables look like that all customers share:
// one per dataset name, with the columns of every customer that has it. It is
// pure: a store keeps the Dataset as a document, asks, and changes its table
// as the answer says.
//
// # Columns
//
// A column that one customer has and another lacks is null for the other. A
// column's type is the least one that holds what every customer declared
// (Widen); it never becomes narrower. What has no such type is refused, for
// that customer and table, with a problem SchemaConflict. Values are read back
// in the form of the type that the customer registered.
//
// # Keys
//
// All customers of a dataset have one key. Another key is refused unless the
// customer is the only one registered and holds no rows: then the table is
// made anew. (To change a key: drop the customer's rows, then register.)
//
// # Names
//
// Names of datasets and columns are hostile input and not limited to what a
// database calls an identifier. Each gets an identifier, kept in the Dataset:
// lower case ASCII letters, digits and underscores, at most MaxIdentifier
// bytes. "Order Date" becomes order_date. A name whose identifier is taken,
// reserved or cut gets "_" and eight digits of its SHA-256 behind it. Reserved
// are customer_id, all that begins with _tm_, and the system columns of
// Postgres and SQLite.
package dataset
