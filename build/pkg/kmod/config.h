/* kmod 34 on Linux with gcc, for glibc and musl: modules lie uncompressed in the root image, the kernel checks signatures */
#define _GNU_SOURCE		 1
#define PACKAGE			 "kmod"
#define VERSION			 "34.2"
#define SYSCONFDIR		 "/etc"
#define DISTCONFDIR		 "/lib"
#define MODULE_DIRECTORY	 "/lib/modules"
#define ENABLE_LOGGING		 1
#define ENABLE_DEBUG		 0
#define ENABLE_ELFDBG		 0
#define ENABLE_OPENSSL		 0
#define ENABLE_XZ		 0
#define ENABLE_XZ_DLOPEN	 0
#define ENABLE_ZLIB		 0
#define ENABLE_ZLIB_DLOPEN	 0
#define ENABLE_ZSTD		 0
#define ENABLE_ZSTD_DLOPEN	 0
#define HAVE_SECURE_GETENV	 1
#define HAVE_STATIC_ASSERT	 1
#define HAVE_NORETURN		 1
#define HAVE_STRUCT_STAT_ST_MTIM 1
#include <features.h>
#ifdef __GLIBC__
#define HAVE_DECL_BASENAME 1
#else
#define HAVE_DECL_BASENAME 0
#endif
#define HAVE___BUILTIN_CLZ		  1
#define HAVE___BUILTIN_TYPES_COMPATIBLE_P 1
#define HAVE___BUILTIN_UADD_OVERFLOW	  1
#define HAVE___BUILTIN_UADDL_OVERFLOW	  1
#define HAVE___BUILTIN_UADDLL_OVERFLOW	  1
#define HAVE___BUILTIN_UMUL_OVERFLOW	  1
#define HAVE___BUILTIN_UMULL_OVERFLOW	  1
#define HAVE___BUILTIN_UMULLL_OVERFLOW	  1
