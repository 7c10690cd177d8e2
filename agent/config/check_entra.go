package config

// checkEntra holds an identity of Entra ID against what proves it.
func checkEntra(d *decoder, path string, s Source, hasUser, hasPassword bool) {
	if d.has(path + ".kerberos") {
		d.reportField(path+".kerberos", Problem{Message: "kerberos has no effect without authentication: kerberos"})
	}
	if s.Encrypt == "login" || s.Encrypt == "off" {
		d.reportField(path+".encrypt", Problem{Message: "encrypt: a token of Entra ID goes over an encrypted connection alone", Expected: "strict or true"})
	}
	hasCertificate := d.has(path + ".entra.certificate")
	if s.Entra.Method == "service-principal" {
		d.require(path+".user", "the application's id, with @tenant where that is not the server's")
		if hasPassword && hasCertificate {
			d.reportField(path+".entra.certificate", Problem{Message: "there are both password and certificate", Expected: "one of them"})
		}
		if !hasPassword && !hasCertificate {
			d.require(path+".password", "a reference to the application's secret, such as ${secret:sql.password}, or entra.certificate")
		}
		return
	}
	const hint = "entra: {method: service-principal} is for applications with a secret"
	if hasPassword {
		d.reportField(path+".password", Problem{Message: "password has no effect with this method of Entra ID", Hint: hint})
	}
	if hasCertificate {
		d.reportField(path+".entra.certificate", Problem{Message: "certificate has no effect with this method of Entra ID", Hint: hint})
	}
	if hasUser && s.Entra.Method != "managed-identity" {
		d.reportField(path+".user", Problem{Message: "user: which identity it is, the environment says", Hint: "entra: {method: managed-identity} takes a client id as user; " + hint})
	}
}
