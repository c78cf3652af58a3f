/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From PVH's 32-bit entry (and from real mode, for the other processors) to 64-bit C. Everything is mapped
 * one to one up to 4 GiB, device registers included.
 */
#define CODE64 0x08
#define CODE32 0x10
#define DATA   0x18
#define TRAMPOLINE 0x8000

	.section .note.Xen, "a", @note
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start32

	.data
	.balign 4096
pml4:	.quad pdpt + 3
	.fill 511, 8, 0
pdpt:	.quad pd + 3, pd + 0x1003, pd + 0x2003, pd + 0x3003
	.fill 508, 8, 0
pd:
	.set i, 0
	.rept 2048
	.quad i * 0x200000 + 0x83
	.set i, i + 1
	.endr
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:	.word 31
	.long gdt
	.globl start_info, cpus_up
start_info: .long 0
cpus_up: .long 1

	.text
	.code32
	.globl start32
start32:
	cli
	lgdt gdtr
	movl %ebx, start_info
	xorl %ebp, %ebp
	jmp paging

	/* The other processors: one after the other takes a number */
ap32:
	movw $DATA, %ax
	movw %ax, %ds
	movl $1, %ebp
	lock xaddl %ebp, cpus_up

paging:
	movl $0x620, %eax /* PAE, and SSE as the compiler may like it */
	movl %eax, %cr4
	movl $pml4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80000001, %eax
	movl %eax, %cr0
	ljmp $CODE64, $long64

	.code64
long64:
	movw $DATA, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	/* 16 KiB of stack each */
	movl %ebp, %edi
	leal 1(%rdi), %eax
	shll $14, %eax
	leaq stacks(%rax), %rsp
	xorl %ebp, %ebp
	call hostile_main
1:	hlt
	jmp 1b

	/* Faults end the machine; what else may come (an NMI) is of no interest. */
	.globl on_fault, on_other
on_fault:
	movq (%rsp), %rdi
	movq 8(%rsp), %rsi
	andq $-16, %rsp
	call hostile_fault
on_other:
	iretq

	/* Copied to TRAMPOLINE */
	.code16
	.globl trampoline, trampoline_end
trampoline:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl TRAMPOLINE + (gdtr16 - trampoline)
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $CODE32, $ap32
gdtr16:	.word 31
	.long gdt
trampoline_end:

	.bss
	.balign 16
stacks:	.skip 8 * 16384
	.section .note.GNU-stack, "", @progbits
