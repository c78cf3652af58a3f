/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for the tests only (P-256, valid 2020 to 2120), made with openssl:
 * a CA; a server for 127.0.0.1 and localhost; clients of that CA («system:node:h1» in system:nodes and
 * racks; one whose subject has two names); another CA and a client of it.
 */
#ifndef HTTP_TESTS_CERTS_H
#define HTTP_TESTS_CERTS_H

#define TEST_CA_CRT                                                          \
	"-----BEGIN CERTIFICATE-----\n"                                      \
	"MIIBWDCB/qADAgECAgIQADAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAd0ZXN0IENB\n" \
	"MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjASMRAwDgYDVQQDDAd0\n" \
	"ZXN0IENBMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1TKvQ6PkOoChvv4q5Jwh\n" \
	"6Qx1ftNd640+0HEXnOFzgYBobbpdHLPsB37YAHsgWqL1OHjv7NfE5EDjIo3kmJ4O\n" \
	"MaNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYE\n" \
	"FLqiJq6Dl9tBE4eClrceJRxVcnp0MAoGCCqGSM49BAMCA0kAMEYCIQCVfuteC3Uo\n" \
	"pDj9x21SWP48Kwsq3Fa6rUtkHXuPOuKWXAIhAKe3lxTZMDCkuVJM21mqPiRfw8yJ\n" \
	"xyQnxTpZ8sPno2qW\n"                                                 \
	"-----END CERTIFICATE-----\n"

#define TEST_OTHER_CRT                                                       \
	"-----BEGIN CERTIFICATE-----\n"                                      \
	"MIIBWzCCAQCgAwIBAgICEAAwCgYIKoZIzj0EAwIwEzERMA8GA1UEAwwIb3RoZXIg\n" \
	"Q0EwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBMxETAPBgNVBAMM\n" \
	"CG90aGVyIENBMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwzPuoWC+F5P5AxTY\n" \
	"6d1JpTnFm0YgjtQ3ZbtzyERzoEoaC88Ykz8XVsSBVpF8B9UiCe9W0s6LIddIxvF4\n" \
	"Rag3i6NCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0O\n" \
	"BBYEFJz9lMEJJTq1XmadxaDs3C3VbiMlMAoGCCqGSM49BAMCA0kAMEYCIQC75db+\n" \
	"5T/dBBymjaAUa49SwAp13542OEumHGIGg2AG+QIhAOCxlphA1TmDjsoHx63SHiCc\n" \
	"RMjJp7cKdJtuSxgqtWH8\n"                                             \
	"-----END CERTIFICATE-----\n"

#define TEST_SERVER_CRT                                                      \
	"-----BEGIN CERTIFICATE-----\n"                                      \
	"MIIBkjCCATmgAwIBAgICEAEwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHdGVzdCBD\n" \
	"QTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowETEPMA0GA1UEAwwG\n" \
	"c2VydmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnhnx7naPEI3yWoEBtx1L\n" \
	"g2KRRi9QJshnNEFwaRchtVLsO1Yr1XO6j5/c7Qr/g9b9ufEaCj+87Jb8GhAyoebS\n" \
	"6KN+MHwwGgYDVR0RBBMwEYcEfwAAAYIJbG9jYWxob3N0MBMGA1UdJQQMMAoGCCsG\n" \
	"AQUFBwMBMAkGA1UdEwQCMAAwHQYDVR0OBBYEFIAzNigXhVwx9Pk3VIF5CadTzsSS\n" \
	"MB8GA1UdIwQYMBaAFLqiJq6Dl9tBE4eClrceJRxVcnp0MAoGCCqGSM49BAMCA0cA\n" \
	"MEQCIGG2MFj2NOLbm1aFScEv3zb1FJSEkVOoZjNpV5ufhH4ZAiBofZNZ/OEMFMKR\n" \
	"nYM+X3pebkHU26DHTLyWBPq9TJzubw==\n"                                 \
	"-----END CERTIFICATE-----\n"

#define TEST_SERVER_KEY                                                      \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+fNuC9h5Fm9gxJJD\n" \
	"RmL5D4dtcyD6HSVIAZR6UJeF7QqhRANCAASeGfHudo8QjfJagQG3HUuDYpFGL1Am\n" \
	"yGc0QXBpFyG1Uuw7VivVc7qPn9ztCv+D1v258RoKP7zslvwaEDKh5tLo\n"         \
	"-----END PRIVATE KEY-----\n"

#define TEST_CLIENT_CRT                                                      \
	"-----BEGIN CERTIFICATE-----\n"                                      \
	"MIIBpTCCAUygAwIBAgICEAIwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHdGVzdCBD\n" \
	"QTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowQDEVMBMGA1UECgwM\n" \
	"c3lzdGVtOm5vZGVzMQ4wDAYDVQQKDAVyYWNrczEXMBUGA1UEAwwOc3lzdGVtOm5v\n" \
	"ZGU6aDEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASQIKuxH6m8nu7TWBaedhXv\n" \
	"f8THGM49fU4c62YjTYi14CI8L4WLk6ATSPDgI8vx+BBjgZUltpZdQONkO5ZORdc4\n" \
	"o2IwYDATBgNVHSUEDDAKBggrBgEFBQcDAjAJBgNVHRMEAjAAMB0GA1UdDgQWBBRu\n" \
	"G+yugMg+Dk/ZBOVsV4DqO3iAXDAfBgNVHSMEGDAWgBS6oiaug5fbQROHgpa3HiUc\n" \
	"VXJ6dDAKBggqhkjOPQQDAgNHADBEAiA9XbfXTKbUXKHkH0NU0LI0ThEDvlwv/J0q\n" \
	"9eJXRWShpwIgRK35wiAfbek2N7VGiVnetNoOjqNh0g7XtmTgI5p2fzg=\n"         \
	"-----END CERTIFICATE-----\n"

#define TEST_CLIENT_KEY                                                      \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg30iyaGAAK/Q/vwlE\n" \
	"/3MR+Cra+KMXuJCHX7AqX5u7APehRANCAASQIKuxH6m8nu7TWBaedhXvf8THGM49\n" \
	"fU4c62YjTYi14CI8L4WLk6ATSPDgI8vx+BBjgZUltpZdQONkO5ZORdc4\n"         \
	"-----END PRIVATE KEY-----\n"

#define TEST_FOREIGN_CRT                                                     \
	"-----BEGIN CERTIFICATE-----\n"                                      \
	"MIIBkDCCATagAwIBAgICEAEwCgYIKoZIzj0EAwIwEzERMA8GA1UEAwwIb3RoZXIg\n" \
	"Q0EwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMCkxFzAVBgNVBAoM\n" \
	"DnN5c3RlbTptYXN0ZXJzMQ4wDAYDVQQDDAVhZG1pbjBZMBMGByqGSM49AgEGCCqG\n" \
	"SM49AwEHA0IABBkWH3WJu7prlLng+2DqxMkcW7PcT46gqx/qjKxHS3nm1O2aZ5Mw\n" \
	"igIba6bKJ/FqJU2FpSCN/i7ucV3bDKvC/jWjYjBgMBMGA1UdJQQMMAoGCCsGAQUF\n" \
	"BwMCMAkGA1UdEwQCMAAwHQYDVR0OBBYEFPPUrlBlvVnGLNLA/N3B6oLPx/boMB8G\n" \
	"A1UdIwQYMBaAFJz9lMEJJTq1XmadxaDs3C3VbiMlMAoGCCqGSM49BAMCA0gAMEUC\n" \
	"IAD0N2S6fNNr1D+tBq3723TlfGm1Edt97f0UHvn1JXw5AiEAs2fqm740aPC2fxwY\n" \
	"/RpbJqdUqLVx2zqVyOmN9b4Iv7w=\n"                                     \
	"-----END CERTIFICATE-----\n"

#define TEST_FOREIGN_KEY                                                     \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg39HjrmtxvJo2Mrf0\n" \
	"jaWzHmfJQuBz6wOmvQnxjAMcfrihRANCAAQZFh91ibu6a5S54Ptg6sTJHFuz3E+O\n" \
	"oKsf6oysR0t55tTtmmeTMIoCG2umyifxaiVNhaUgjf4u7nFd2wyrwv41\n"         \
	"-----END PRIVATE KEY-----\n"

#define TEST_TWICE_CRT                                                       \
	"-----BEGIN CERTIFICATE-----\n"                                      \
	"MIIBgjCCASigAwIBAgICEAMwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHdGVzdCBD\n" \
	"QTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowHDEMMAoGA1UEAwwD\n" \
	"b25lMQwwCgYDVQQDDAN0d28wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARTBPhQ\n" \
	"MeoEwpsajU58ewGNuSV2NYBOLl/rRFgSLQ/wyBF0CX817HgafEa/+myGn3mr8yTL\n" \
	"1RU/gH4MoiyZWfISo2IwYDATBgNVHSUEDDAKBggrBgEFBQcDAjAJBgNVHRMEAjAA\n" \
	"MB0GA1UdDgQWBBTcmaJzW7MucjDwqlB85TObglPtnTAfBgNVHSMEGDAWgBS6oiau\n" \
	"g5fbQROHgpa3HiUcVXJ6dDAKBggqhkjOPQQDAgNIADBFAiAQJqLrlAI0XZflb6aA\n" \
	"sT8ZRIlwF3/Z0+bHgaoytyBUuAIhANqINHMeFwCeyOJdRDDfVeTx0XATUYgL9LGp\n" \
	"BAqRRNsz\n"                                                         \
	"-----END CERTIFICATE-----\n"

#define TEST_TWICE_KEY                                                       \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVlPKLNh6OeAQNV3/\n" \
	"yDShvztNd4lMPHKnY0buTqTqokKhRANCAARTBPhQMeoEwpsajU58ewGNuSV2NYBO\n" \
	"Ll/rRFgSLQ/wyBF0CX817HgafEa/+myGn3mr8yTL1RU/gH4MoiyZWfIS\n"         \
	"-----END PRIVATE KEY-----\n"

#endif
