/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_IMAGE_RUN_H
#define OCI_IMAGE_RUN_H

/** image_run() - All of hostd-image but its main(), so that tests can be it. Return: exit status */
int image_run(int argc, char **argv);

#endif
