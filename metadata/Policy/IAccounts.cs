namespace Overlay.Metadata.Policy;

/// <summary>Names of users and groups.</summary>
public interface IAccounts
{
    uint? FindUser(string name);

    uint? FindGroup(string name);
}
