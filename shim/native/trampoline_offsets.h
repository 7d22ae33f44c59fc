/* Constants the assembly shares with C. struct overlay_call as the assembler sees it; trampoline_check.c proves that both agree. */
#define CALL_NUMBER 0
#define CALL_ARGS 8
#define CALL_SITE 56
#define CALL_RESULT 64
/* Behind it on the stack: */
#define FRAME_FLAGS 72
#define FRAME_STACK 80
#define FRAME_CANCEL 88
#define FRAME_SIZE 96

#define NUMBER_LIMIT 512

/* struct trap_call, and the size of struct trap_frame. */
#define TRAP_STACK 96
#define TRAP_NEXT 104
#define TRAP_FLAGS 112
#define TRAP_GO_ON 120
#define TRAP_GO_ON_STACK 128
#define TRAP_FRAME_BYTES 192

/* How overlay_with_vector_state_saved saves; the order matters to it. */
#define VECTOR_NOT_ASKED 0
#define VECTOR_FXSAVE 1
#define VECTOR_XSAVE 2
#define VECTOR_XSAVEC 3
#define VECTOR_YMM 4    /* the registers by hand, xsavec when x87 is in use */
#define VECTOR_ZMM 5    /* the same with AVX-512's */
