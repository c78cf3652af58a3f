# hostd links journal.c alone: the journal is kept by a process of its own
journal_parts := $(addprefix hostd/journal/,line.c ring.c gate.c tty.c screen.c journal.c)
$(eval $(call program,hostd-journal,hostd/journal/main.c $(journal_parts),base,))
$(eval $(call unit_test,test_journal,hostd/journal/tests/test_journal.c $(journal_parts),base,))
$(eval $(call fuzz_target,fuzz_journal,hostd/journal/fuzz/fuzz_journal.c $(journal_parts),base,,hostd/journal/fuzz/corpus))
