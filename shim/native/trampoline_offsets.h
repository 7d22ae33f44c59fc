/* struct overlay_call as the assembler sees it; trampoline_check.c proves that both agree. */
#define CALL_NR 0
#define CALL_ARGS 8
#define CALL_SITE 56
#define CALL_RESULT 64
/* Behind it on the stack: */
#define FRAME_FLAGS 72
#define FRAME_STACK 80
#define FRAME_CANCEL 88
#define FRAME_SIZE 96

#define NUMBER_LIMIT 512
