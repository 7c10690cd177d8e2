package state

var bucketQuarantine = []byte("quarantine") // a bucket in it per table
