# hostd links journal.c alone: the journal is kept by a process of its own
journal_parts := $(addprefix hostd/journal/,line.c ring.c gate.c tty.c screen.c journal.c)
$(eval $(call program,hostd-journal,hostd/journal/main.c $(journal_parts),base,))
journal_ship := $(addprefix hostd/journal/,tail.c rfc5424.c link.c link_tls.c ship.c)
$(eval $(call program,hostd-syslog,hostd/journal/syslog_main.c $(journal_ship) $(journal_parts),base,mbedtls))
$(eval $(call unit_test,test_syslog,hostd/journal/tests/test_syslog.c $(journal_ship) $(journal_parts),base,mbedtls))
$(eval $(call unit_test,test_journal,hostd/journal/tests/test_journal.c $(journal_parts),base,))
$(eval $(call fuzz_target,fuzz_journal,hostd/journal/fuzz/fuzz_journal.c hostd/journal/ship.c $(journal_parts),base,,hostd/journal/fuzz/corpus))
