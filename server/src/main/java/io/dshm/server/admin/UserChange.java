package io.dshm.server.admin;

import java.util.List;

/**
 * What an operator wants done with users; what is not for an action is empty.
 *
 * @param action {@code add}, {@code grant}, {@code revoke}, {@code rotate}, {@code finish-rotation},
 *     {@code replace-secret}, {@code remove}, {@code auth-on} or {@code auth-off}
 * @param rights {@code right:pattern} each; {@code :} as the pattern is the default region
 * @param salt hexadecimal
 * @param hash hexadecimal: what is kept of the secret, which itself never comes here
 */
public record UserChange(String action, String name, List<String> rights, String salt, String hash) {}
