// Package uploader is the client of the cloud API for one customer.
//
// Every method sends one request, and sends it again as long as that can
// help, until its context ends:
//
//   - connections that fail, timeouts, answers that are not the API's (a
//     captive portal, a proxy's error page) and 5xx: exponential waits with
//     full jitter, capped, for ever;
//   - 429 and 503: the same, and at least as long as Retry-After says, which
//     is believed up to an hour.
//
// A repeated request carries the same bytes, so that a batch whose answer was
// lost is recognised by its ID and answered again. What cannot help comes
// back as an error of one of these types:
//
//	*Stop      401 and 403 stop the whole customer: every call fails at once
//	           until a new key is there or some minutes have passed. A key is
//	           refused once it has been twice, two seconds apart. Other 4xx
//	           stop the one table.
//	*Conflict  409: the table is not as the caller believed.
//	*TooLarge  413, or the link is too slow for a body of this size: send less.
//
// # While the cloud is away
//
// All calls share a gate. The first failure that is the cloud's or the
// network's closes it; then one call at a time tries, in turn, and the others
// wait. The first answer opens it again, and what waited goes out at a place of
// the site's own within half the length of the outage, at most half an hour,
// because all customers come back at once. The observer is told when the gate closes, each time a try
// fails, and when it opens. An error that is the request's own doing (a 5xx
// with a problem document) makes only its call wait.
package uploader
