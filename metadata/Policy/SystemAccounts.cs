using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Policy;

/// <summary>As this system knows them (/etc/passwd, a directory service).</summary>
public sealed class SystemAccounts : IAccounts
{
    public static SystemAccounts Instance { get; } = new();

    public uint? FindUser(string name) => AccountCalls.Find(name, isGroup: false);

    public uint? FindGroup(string name) => AccountCalls.Find(name, isGroup: true);
}
