using System.Collections.Generic;

namespace Overlay.Fuzz;

/// <summary>One packet of each kind that a client may send.</summary>
internal static class Packets
{
    public static readonly byte[] Hello = [1, 0, 0, 0, 0, 0, 0, 0, (byte)'O', (byte)'V', (byte)'L', (byte)'A', 1, 0, 1, 0];

    public static List<byte[]> Sound(byte[] volumeId) =>
    [
        Hello,
        [2, 0, 0, 0, 1, 0, 0, 0, .. new byte[16], 4, 0, (byte)'/', (byte)'v', (byte)'o', (byte)'l'],
        [3, 0, 0, 0, 2, 0, 0, 0, .. volumeId, .. new byte[16], 8, 0],
        [4, 0, 0, 0, 3, 0, 0, 0, .. volumeId, 3, 0],
        [5, 0, 0, 0, 4, 0, 0, 0, .. volumeId, .. new byte[16], 1, 0, (byte)'x', .. new byte[16], 2, 0, (byte)'y', (byte)'z'],
        [6, 0, 0, 0, 5, 0, 0, 0],
        [7, 0, 0, 0, 6, 0, 0, 0],
        [8, 0, 0, 0, 7, 0, 0, 0, .. volumeId, 0],
        [9, 0, 0, 0, 8, 0, 0, 0, .. volumeId],
        [10, 0, 0, 0, 9, 0, 0, 0, .. volumeId, 1, 0, 0, 0, 1, 0, .. new byte[16], 1, 0, 0, 0, 0, 0, 0, 0],
        [11, 0, 0, 0, 10, 0, 0, 0, .. volumeId, .. new byte[16], 1, 0, 0],
        [6, 0, 0, 0, 11, 0, 0, 0, 3, 0],
        [24, 0, 0, 0, 12, 0, 0, 0],
        [25, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0],
    ];
}
