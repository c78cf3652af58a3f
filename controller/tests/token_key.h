/* SPDX-License-Identifier: Apache-2.0 */
/* A key that everybody knows, to sign tokens with in tests. */
#ifndef TESTS_TOKEN_KEY_H
#define TESTS_TOKEN_KEY_H

/* RFC 7515, appendix A.3 */
static const char token_key[] = "-----BEGIN EC PRIVATE KEY-----\n"
				"MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
				"AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\n"
				"focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
				"-----END EC PRIVATE KEY-----\n";

#endif
