// SPDX-License-Identifier: Apache-2.0
#include "oci/image_run.h"

int main(int argc, char **argv)
{
	return image_run(argc, argv);
}
