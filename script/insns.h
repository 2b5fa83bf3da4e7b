/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* insns.h: the words of struct bpf_insn. */
#ifndef BORESCOPE_SCRIPT_INSNS_H
#define BORESCOPE_SCRIPT_INSNS_H

#include <linux/bpf.h>

#define INSN(op, dst, src, off_, imm_)                                                             \
	((struct bpf_insn){                                                                        \
		.code = (op), .dst_reg = (dst), .src_reg = (src), .off = (off_), .imm = (imm_) })
#define INSN_MOV(dst, src)		    INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define INSN_MOV_K(dst, imm)		    INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define INSN_ADD_K(dst, imm)		    INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define INSN_LOAD(size, dst, base, offset)  INSN(BPF_LDX | BPF_MEM | (size), dst, base, offset, 0)
#define INSN_STORE(size, base, offset, src) INSN(BPF_STX | BPF_MEM | (size), base, src, offset, 0)
/* of 8 bytes; @op BPF_ADD is what 5.10 has as BPF_XADD */
#define INSN_ATOMIC(base, offset, src, op)                                                         \
	INSN(BPF_STX | BPF_ATOMIC | BPF_DW, base, src, offset, op)
#define INSN_CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define INSN_EXIT()	  INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#endif
