using System;
using System.Collections.Generic;
using System.Text;
using Overlay.Crypto;

namespace Overlay.Ctl.Data;

/// <summary>
/// What a file has beside its content. Owner, then extended attributes (access control lists are such, and a new owner takes file
/// capabilities away), then mode (a new owner takes set-user-id away), times last.
/// </summary>
internal static unsafe class Attributes
{
    private const int LargestList = 64 * 1024, LargestValue = 64 * 1024;
    private static readonly byte[] s_itself = [0];

    /// <summary>Of a system that labels files by its own rules; a label that cannot be set is the target system's choice.</summary>
    private static readonly string[] s_labels = ["security.selinux", "security.SMACK64"];

    /// <param name="mode">All permission bits that the copy shall have.</param>
    /// <param name="keepsOwner">False: the copy belongs to who makes it.</param>
    internal static void Copy(byte[] fromPath, in NodeStatus from, int directory, byte[] name, byte[] path, uint mode, bool keepsOwner)
    {
        if (keepsOwner)
            SetOwner(directory, name, from);
        List<byte[]> attributes = List(fromPath);
        RemoveInherited(path, attributes);
        foreach (byte[] attribute in attributes)
            CopyOne(fromPath, path, attribute);
        if (from.Type != NodeStatus.SymbolicLink && Calls.ChangeMode(directory, name, mode, 0) != 0)
            throw Tree.Failure("its mode cannot be set");
        SetTimes(directory, name, from);
    }

    internal static void SetTimes(int directory, byte[] name, in NodeStatus like)
    {
        NodeTime* times = stackalloc NodeTime[2];
        (times[0], times[1]) = (like.Accessed, like.Modified);
        if (Calls.SetTimes(directory, name, times, Calls.NoFollowLink) != 0)
            throw Tree.Failure("its times cannot be set");
    }

    internal static string TextOf(byte[] attribute) => Encoding.UTF8.GetString(attribute.AsSpan().TrimEnd((byte)0));

    /// <summary>Names with a zero behind them.</summary>
    internal static List<byte[]> List(byte[] path)
    {
        byte[] names = new byte[LargestList];
        nint length;
        fixed (byte* start = names)
            length = Calls.ListAttributes(path, start, (nuint)names.Length);
        if (length < 0)
            return Calls.LastError is Calls.NotSupported or Calls.NoSuchCall ? [] : throw Tree.Failure("its extended attributes cannot be listed");
        List<byte[]> list = [];
        for (int at = 0; at < length;)
        {
            int end = names.AsSpan(at).IndexOf((byte)0) + at + 1;
            list.Add(names[at..end]);
            at = end;
        }
        return list;
    }

    /// <summary>Access control lists that came from the directory's default, where the original has none.</summary>
    private static void RemoveInherited(byte[] path, List<byte[]> wanted)
    {
        foreach (byte[] attribute in List(path))
        {
            bool isInherited = TextOf(attribute).StartsWith("system.posix_acl_", StringComparison.Ordinal) && !wanted.Exists(name => name.AsSpan().SequenceEqual(attribute));
            if (isInherited && Calls.RemoveAttribute(path, attribute) != 0)
                throw Tree.Failure($"its inherited attribute {TextOf(attribute)} cannot be removed");
        }
    }

    private static void SetOwner(int directory, byte[] name, in NodeStatus from)
    {
        // Who is no root may give to a group of his own, but to no other user: asked only where something would change.
        if (!Tree.TryStatus(directory, name, out NodeStatus now) || (now.UserId == from.UserId && now.GroupId == from.GroupId))
            return;
        if (Calls.ChangeOwner(directory, name, from.UserId, from.GroupId, Calls.NoFollowLink) != 0)
            throw Tree.Failure($"its owner ({from.UserId}:{from.GroupId}) can be kept by root only");
    }

    private static void CopyOne(byte[] fromPath, byte[] path, byte[] attribute)
    {
        byte[] value = new byte[LargestValue];
        fixed (byte* start = value)
        {
            nint length = Calls.GetAttribute(fromPath, attribute, start, (nuint)value.Length);
            if (length < 0)
            {
                if (Calls.LastError == Calls.NoData)
                    return; // removed since
                throw Tree.Failure($"its attribute {TextOf(attribute)} cannot be read");
            }
            if (Calls.SetAttribute(path, attribute, start, (nuint)length, 0) != 0 && !Array.Exists(s_labels, label => label == TextOf(attribute)))
                throw Tree.Failure($"its attribute {TextOf(attribute)} cannot be kept");
        }
    }
}
