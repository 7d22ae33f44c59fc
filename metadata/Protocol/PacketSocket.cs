using System;
using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Protocol;

/// <summary>One packet in, one packet out, with or without a descriptor. No call here waits longer than it says.</summary>
internal static unsafe class PacketSocket
{
    private const int ControlRoom = 64;
    private const int OneDescriptor = ControlHeader.Size + 8;

    /// <returns>0 or an errno. Waits (for SO_SNDTIMEO) only without <paramref name="flags"/> DoNotWait.</returns>
    internal static int Send(int socket, ReadOnlySpan<byte> packet, int flags)
    {
        fixed (byte* data = packet)
        {
            while (SocketCalls.Send(socket, data, (nuint)packet.Length, flags | SocketCalls.NoSignal) < 0)
            {
                if (Errno.Last != Errno.Interrupted)
                    return Errno.Last;
            }
        }
        return 0;
    }

    /// <returns>0 or an errno.</returns>
    internal static int SendWithDescriptor(int socket, ReadOnlySpan<byte> packet, int descriptor, int flags = 0)
    {
        byte* control = stackalloc byte[OneDescriptor];
        new Span<byte>(control, OneDescriptor).Clear();
        ControlHeader* header = (ControlHeader*)control;
        header->Length = ControlHeader.Size + sizeof(int);
        header->Level = SocketCalls.SocketLevel;
        header->Type = SocketCalls.RightsMessage;
        *(int*)(control + ControlHeader.Size) = descriptor;
        fixed (byte* data = packet)
        {
            IoVector vector = new() { Data = data, Length = (nuint)packet.Length };
            MessageHeader message = new()
            {
                Vectors = &vector, VectorCount = 1, Control = control, ControlLength = OneDescriptor,
            };
            while (SocketCalls.SendMessage(socket, &message, flags | SocketCalls.NoSignal) < 0)
            {
                if (Errno.Last != Errno.Interrupted)
                    return Errno.Last;
            }
        }
        return 0;
    }

    /// <summary>
    /// Takes one packet if one is there. Descriptors that came along are closed, unless there is exactly one: that is
    /// <paramref name="received"/>, and the caller's to close; -1 if none.
    /// </summary>
    /// <returns>The length (0: the peer is gone, or sent an empty packet), or the negative errno (EAGAIN: nothing there;
    /// EMSGSIZE: a packet larger than the buffer, or more descriptors than are ever sent).</returns>
    internal static int Receive(int socket, Span<byte> buffer, out int received)
    {
        received = -1;
        byte* control = stackalloc byte[ControlRoom];
        fixed (byte* data = buffer)
        {
            IoVector vector = new() { Data = data, Length = (nuint)buffer.Length };
            MessageHeader message = new()
            {
                Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlRoom,
            };
            nint length;
            while ((length = SocketCalls.ReceiveMessage(
                socket, &message, SocketCalls.DoNotWait | SocketCalls.CloseReceivedOnExec)) < 0)
            {
                if (Errno.Last != Errno.Interrupted)
                    return -Errno.Last;
            }
            int count = TakeDescriptors(control, (int)message.ControlLength, ref received);
            bool cut = (message.Flags & (SocketCalls.Truncated | SocketCalls.ControlTruncated)) != 0;
            if (!cut && count <= 1)
                return (int)length;
            CloseIfOpen(ref received);
            return -Errno.MessageSize;
        }
    }

    internal static void CloseIfOpen(ref int descriptor)
    {
        if (descriptor >= 0)
            _ = FileCalls.Close(descriptor);
        descriptor = -1;
    }

    private static int TakeDescriptors(byte* control, int length, ref int received)
    {
        int count = 0;
        for (int at = 0; at + ControlHeader.Size <= length;)
        {
            ControlHeader* header = (ControlHeader*)(control + at);
            int size = (int)header->Length;
            if (size < ControlHeader.Size || at + size > length)
                break;
            if (header->Level == SocketCalls.SocketLevel && header->Type == SocketCalls.RightsMessage)
            {
                for (int data = ControlHeader.Size; data + sizeof(int) <= size; data += sizeof(int), count++)
                {
                    CloseIfOpen(ref received);
                    received = *(int*)(control + at + data);
                }
            }
            at += (size + 7) & ~7;
        }
        return count;
    }
}
