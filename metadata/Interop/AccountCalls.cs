using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace Overlay.Metadata.Interop;

/// <summary>getpwnam_r and getgrnam_r, through whatever name services the system uses.</summary>
internal static unsafe partial class AccountCalls
{
    // struct passwd and struct group: char *name, char *passwd, then the id.
    private const int IdOffset = 16, GroupIdOffset = 20, StructSize = 64;
    private const int MostGroups = 65_536;
    private const int FirstRoom = 4096, MostRoom = 1 << 20, TooSmall = 34; // ERANGE

    internal static uint? Find(string name, bool isGroup) => Find(name, isGroup, out _);

    /// <summary>The groups that a user is in; none if there is no such user.</summary>
    internal static List<uint> GroupsOf(string user)
    {
        if (Find(user, isGroup: false, out uint groupId) is null)
            return [];
        uint[] groups = new uint[MostGroups];
        int count = groups.Length;
        fixed (uint* list = groups)
        fixed (byte* name = Encoding.UTF8.GetBytes(user + "\0"))
            return ListGroups(name, groupId, list, &count) < 0 ? [groupId] : [.. groups.AsSpan(0, count)];
    }

    private static uint? Find(string name, bool isGroup, out uint groupId)
    {
        groupId = 0;
        if (name.Contains('\0', StringComparison.Ordinal))
            return null;
        byte* entry = stackalloc byte[StructSize];
        for (int room = FirstRoom; room <= MostRoom; room *= 4)
        {
            byte[] buffer = new byte[room];
            void* found;
            int error;
            fixed (byte* text = buffer, wanted = Encoding.UTF8.GetBytes(name + "\0"))
                error = isGroup ? FindGroup(wanted, entry, text, (nuint)room, &found) : FindUser(wanted, entry, text, (nuint)room, &found);
            if (error == TooSmall)
                continue;
            groupId = *(uint*)(entry + GroupIdOffset);
            return error == 0 && found != null ? *(uint*)(entry + IdOffset) : null;
        }
        return null;
    }

    [LibraryImport("libc", EntryPoint = "getpwnam_r")]
    private static partial int FindUser(byte* name, void* entry, byte* buffer, nuint size, void** result);

    [LibraryImport("libc", EntryPoint = "getgrouplist")]
    private static partial int ListGroups(byte* user, uint groupId, uint* groups, int* count);

    [LibraryImport("libc", EntryPoint = "getgrnam_r")]
    private static partial int FindGroup(byte* name, void* entry, byte* buffer, nuint size, void** result);
}
