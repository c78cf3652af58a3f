# shellcheck shell=bash
# OpenJDK's headless run time, which compiles and runs a single source file; java by its full path, alternatives being
# made by maintainer scripts.
# shellcheck disable=SC2034
packages=(default-jre-headless)
config=(--config.cmd=java --config.cmd=-version --config.env=JAVA_HOME=/usr/lib/jvm/default-java)

prune() {
	(cd packages && rm -rf usr/lib/jvm/*/{legal,man,docs} usr/share/{fonts,mime} usr/lib/*/{libLLVM*,dri,gio})
}

settings() {
	mkdir -p settings/usr/local/bin settings/src
	ln -s /usr/lib/jvm/default-java/bin/java settings/usr/local/bin/java
	cat >settings/src/Hello.java <<-'JAVA'
		public class Hello {
			public static void main(String[] args) {
				System.out.println("hello from Java " + Runtime.version().feature() + " on " + Runtime.getRuntime().availableProcessors()
					+ " processors, heap of at most " + Runtime.getRuntime().maxMemory() / 1048576 + " MB");
			}
		}
	JAVA
}
