/* SPDX-License-Identifier: Apache-2.0 */
/* What signs a node's requests in a cluster. */
#ifndef TESTS_FAKE_SIGNER_H
#define TESTS_FAKE_SIGNER_H

#define FAKE_CSRS "/apis/certificates.k8s.io/v1/certificatesigningrequests"

/**
 * fake_sign() - Sign the request that the fake API was POSTed last
 * @days_from, @days_to: validity, as YYYYMMDDhhmmss
 * Return: the answer's CSR object with the certificate; to be freed. The request must be that of node h1.
 */
char *fake_sign(const char *days_from, const char *days_to);

#endif
