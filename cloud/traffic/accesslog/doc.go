// Package accesslog reads lines of the access logs that AWS load balancers
// write: Classic, Application and Network (of their TLS listeners).
//
// A Parser tells the kind of a line by itself, checks every documented field
// against its type, and makes one JSON object of it. It allocates nothing for
// a good line. Fields that AWS added behind those it knows are kept; a line
// from before a field was added is good too. Sources: the pages "Access logs
// for your Classic Load Balancer", "... Application Load Balancer" and
// "... Network Load Balancer" of the Elastic Load Balancing user guides.
//
// # Quotes
//
// Fields with free text stand in double quotes. AWS does not document how a
// quote inside is written; in practice it is \x22, in older logs \". A quote
// behind an odd number of backslashes is therefore part of its field, and \"
// becomes " in JSON. All else is left as it was logged.
package accesslog
