/** Whoever runs the service. Each role may do what those before it may, and more. */
export const roles = ['viewer', 'reviewer', 'admin'] as const;

export type Role = (typeof roles)[number];

export function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}

export function hasRole(role: Role, wanted: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(wanted);
}

/** Relying parties see this group at everybody who runs the service. It opens nothing by itself. */
export const operatorsGroup = 'operators';
