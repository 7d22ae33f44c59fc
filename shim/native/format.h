/* What the filter needs of docs/format.md. FormatConstants.cs is the other copy; a test compares them. */
#ifndef OVERLAY_FORMAT_H
#define OVERLAY_FORMAT_H

#define OVERLAY_PAGE_SIZE 4096
#define OVERLAY_GROUP_BLOCKS 29
#define OVERLAY_INLINE_OFFSET 512

#endif
